"""Soft targets against loops, and what they ask of the student."""

import math

import pytest
import torch

from vldeformer.objective.distillation import distillation_loss

VALID = torch.tensor([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]], dtype=torch.bool)


def scores(seed, scale=1.0):
    return scale * torch.randn(4, 4, generator=torch.Generator().manual_seed(seed))


def shares(row, temperature):
    powers = [math.exp(score / temperature) for score in row]
    return [power / sum(powers) for power in powers]


def plain(student, teacher, valid, student_temperature, teacher_temperature):
    costs = []
    for ours, theirs, there in zip(student.tolist(), teacher.tolist(), valid.tolist(), strict=True):
        places = [place for place, is_there in enumerate(there) if is_there]
        if places:
            q, p = (
                shares([row[k] for k in places], t) for row, t in ((ours, student_temperature), (theirs, teacher_temperature))
            )
            costs.append(sum(b * math.log(b / a) for a, b in zip(q, p, strict=True)))
    return sum(costs) / len(costs)


@pytest.mark.parametrize(("student_temperature", "teacher_temperature"), [(1.0, 1.0), (0.1, 3.0)])
def test_it_is_the_divergence_over_valid_candidates(student_temperature, teacher_temperature):
    student, teacher = scores(1, 0.3), scores(2, 4.0)
    found = distillation_loss(student, teacher, VALID, student_temperature, teacher_temperature).item()
    assert found == pytest.approx(plain(student, teacher, VALID, student_temperature, teacher_temperature), rel=1e-5)
    student[~VALID], teacher[~VALID] = 50.0, torch.nan
    assert distillation_loss(student, teacher, VALID, student_temperature, teacher_temperature).item() == found


def test_a_student_that_agrees_up_to_a_constant_costs_nothing():
    teacher = scores(2, 4.0)
    assert distillation_loss(teacher * 0.1 + 0.3, teacher, VALID, 0.1, 1.0).item() == pytest.approx(0, abs=1e-6)
    assert distillation_loss(teacher * -0.1, teacher, VALID, 0.1, 1.0).item() > 1


def test_only_valid_scores_and_the_temperature_of_the_student_get_a_gradient():
    student, teacher, temperature = scores(1).requires_grad_(), scores(2).requires_grad_(), torch.tensor(0.2, requires_grad=True)
    distillation_loss(student, teacher, VALID, temperature, 1.0).backward()
    assert teacher.grad is None and temperature.grad.isfinite() and temperature.grad != 0
    assert student.grad.isfinite().all() and (student.grad[:2][VALID[:2]] != 0).all()
    assert not student.grad[~VALID].any() and not student.grad[2:].any(), "one candidate alone says nothing"


def test_no_candidate_at_all_costs_nothing():
    student = scores(1).requires_grad_()
    value = distillation_loss(student, scores(2), torch.zeros_like(VALID), 0.1, 1.0)
    value.backward()
    assert value.item() == 0 and not student.grad.any()


def test_a_teacher_that_is_sure_or_a_student_in_bfloat16_is_no_nan():
    student = scores(1).bfloat16().requires_grad_()
    value = distillation_loss(student, scores(2, 1e4), VALID, 0.005, 1.0)
    value.backward()
    assert value.dtype == torch.float32 and value.isfinite() and student.grad.isfinite().all()
