"""A SLURM cluster of one node on the loopback: controller and node are child processes with all their files in one folder.

No accounting, no munge, nothing of /etc is read; two partitions, of which `gpu` has two GPUs that exist on paper only.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "sinfo")

CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,bf_interval=1
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
ReturnToService=2
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=64000 Gres=gpu:2 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes={host} MaxTime=INFINITE State=UP
"""


def missing():
    """Why there can be no cluster here; None if there can."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
    lacking = [program for program in PROGRAMS if shutil.which(program, path=path) is None]
    if lacking:
        return f"needs SLURM, lacks {', '.join(lacking)}: apt-get install slurmctld slurmd slurm-client"
    if os.geteuid() != 0:
        return "needs root: slurmd starts jobs as their user"
    return None


class Cluster:
    """Its folder and the environment in which sbatch and its like find it."""

    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment

    def ask(self, *command):
        """What a program of SLURM prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True, timeout=20)
        return done.stdout

    def jobs(self):
        """Every job as `scontrol` tells of it: {"JobState": "COMPLETED", "Partition": "cpu", "Comment": the rule, …}."""
        lines = self.ask("scontrol", "--oneliner", "show", "jobs").splitlines()
        return [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines]


@contextlib.contextmanager
def cluster(folder):
    """Start it, wait until its node is idle, and stop it in the end."""
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir(parents=True)
    conf = folder / "slurm.conf"
    conf.write_text(CONF.format(folder=folder, host=socket.gethostname(), ports=_free_ports(2)))
    gpus = [f"NodeName={socket.gethostname()} Name=gpu File={device}\n" for device in ("/dev/null", "/dev/zero")]
    (folder / "gres.conf").write_text("".join(gpus))
    environment = os.environ | {
        "SLURM_CONF": str(conf), "PATH": os.pathsep.join([str(folder / "bin"), os.environ["PATH"], "/usr/sbin"])
    }  # fmt: skip
    # The plugin takes every SLURM_ variable from the `srun` in a job, and so the way to the settings.
    srun = folder / "bin" / "srun"
    srun.write_text(f'#!/bin/sh\nexport SLURM_CONF={conf}\nexec {shutil.which("srun")} "$@"\n')
    srun.chmod(0o755)
    with contextlib.ExitStack() as running:
        for program, options in (("slurmctld", ["-D", "-c"]), ("slurmd", ["-D"])):
            log = running.enter_context((folder / f"{program}.out").open("w"))
            path = shutil.which(program, path=environment["PATH"])
            started = subprocess.Popen([path, *options, "-f", str(conf)], env=environment, stdout=log, stderr=log)
            running.callback(_stop, started)
        found = Cluster(folder, environment)
        _wait_for_node(found)
        running.callback(found.ask, "scancel", "--user", str(os.geteuid()))
        yield found


def _wait_for_node(found):
    for _ in range(100):
        with contextlib.suppress(subprocess.SubprocessError):
            if "idle" in found.ask("sinfo", "--noheader", "--format=%T"):
                return
        time.sleep(0.2)
    logs = "\n".join(path.read_text()[-2000:] for path in sorted(found.folder.glob("*.log")))
    raise AssertionError(f"the node of the SLURM cluster did not come up\n{logs}")


def _stop(process):
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports(number):
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
