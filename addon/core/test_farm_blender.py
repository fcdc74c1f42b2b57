from __future__ import annotations

from dataclasses import replace
from typing import Any

from core import test_session
from core.farm_blender import other_blender
from core.job import FarmAddress, Job

FARM = FarmAddress("stack")


def job(**values: Any) -> Job:
    """One of Blender 4.2."""
    return test_session.job(**({"blender_version": (4, 2, 9)} | values))


def test_the_last_job_of_the_farm_tells_its_blender() -> None:
    before = job(rendered_by=(5, 2))
    assert other_blender([], FARM, (4, 2)) is None
    assert other_blender([before], FARM, (4, 2)) == (5, 2)
    assert other_blender([before, job(rendered_by=(4, 2))], FARM, (4, 2)) is None
    assert other_blender([job(rendered_by=(4, 2)), job()], FARM, (4, 2)) is None


def test_a_job_that_was_only_asked_about_tells_it_too() -> None:
    assert other_blender([job(other_blender=(4, 5))], FARM, (4, 2)) == (4, 5)


def test_what_the_farm_says_itself_comes_before_what_its_jobs_tell() -> None:
    before = [job(rendered_by=(5, 2))]
    assert other_blender(before, FARM, (4, 2), [(4, 2), (5, 2)]) is None
    assert other_blender([], FARM, (4, 2), [(4, 5), (5, 2)]) == (4, 5)
    assert other_blender([], FARM, (5, 3), [(4, 5), (5, 2)]) == (5, 2)


def test_another_farm_and_another_blender_tell_nothing() -> None:
    known = [job(rendered_by=(5, 2), farm=replace(FARM, region="eu-west-1"))]
    known.append(job(rendered_by=(4, 5), blender_version=(4, 1, 0)))
    assert other_blender(known, FARM, (4, 2)) is None
