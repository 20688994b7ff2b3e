#!/usr/bin/env bash
# Known vulnerabilities of the packages in requirements.lock, by pip-audit. Exit code 0: none; 1: the lines above name them; 3: not run.
set -uo pipefail
cd "$(dirname "$0")/.."
command -v pip-audit >/dev/null || {
    echo "audit: not run: pip-audit is not installed (pip install pip-audit)" >&2
    exit 3
}
said=$(pip-audit --progress-spinner off --no-deps --disable-pip -r requirements.lock 2>&1)
code=$?
printf '%s\n' "$said"
# pip-audit ends with 1 for a vulnerability and for a service that does not answer alike.
if ((code)) && [[ "$said" != *" known vulnerabilit"* ]]; then
    echo "audit: not run: the service that knows vulnerabilities does not answer, or pip-audit failed (see above)" >&2
    exit 3
fi
exit $code
