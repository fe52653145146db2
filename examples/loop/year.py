"""A year of the loop in a few minutes: each week a delivery, a turn, and a line of the story.

python examples/loop/year.py [--weeks 52] [--folder year]
"""

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

import source

import brinery

HERE = Path(__file__).parent
FILES = ("train.py", "loop.yml", "gate.toml")


def prepare(folder: Path) -> None:
    """Make a folder with the loop in it, which is a workspace of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "brinery.toml").write_text("[evaluate]\nat_import = false\n", encoding="utf-8")
    for name in FILES:
        shutil.copyfile(HERE / name, folder / name)


def run(folder: Path, weeks: int, told: Callable[[int, brinery.Turn], None]) -> None:
    """Go through the weeks; the schedule would begin each turn, and is not waited for."""
    for week in range(1, weeks + 1):
        source.deliver(folder, week)
        told(week, brinery.run_loop(folder / "loop.yml", if_new=True, workspace=folder))


def say(week: int, turn: brinery.Turn) -> None:
    """Print a line of the story."""
    print(f"week {week:2}  {turn.ending:9}  champion shop@{turn.champion}  {turn.error}")


def main() -> None:
    """Run the year, and write its page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--folder", type=Path, default=Path("year"))
    asked = parser.parse_args()
    prepare(asked.folder)
    run(asked.folder, asked.weeks, say)
    page = asked.folder / "history.html"
    brinery.loop_history("shop-weekly", output=page, workspace=asked.folder)
    print(f"the whole story: {page}")


if __name__ == "__main__":
    main()
