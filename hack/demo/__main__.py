"""Runs the demo: `python3 -m hack.demo` in the checkout, with any Python 3.11, without the venv."""

from __future__ import annotations

import argparse
import sys

import hack.demo
from hack.demo import life, place
from hack.demo.kubectl import Kubectl
from hack.demo.screen import DemoError, Screen


def demonstrate(namespace: str) -> None:
    kubectl = Kubectl(Screen(), namespace)
    settings = place.find_operator(kubectl)
    place.prepare(kubectl)
    place.load_logs(kubectl, settings)
    job = life.write_job(kubectl)
    life.show_card(kubectl, job)
    life.approve(kubectl, job)
    life.show_schedule(kubectl)
    life.show_record(kubectl, life.run_now(kubectl))
    life.show_more(kubectl)
    kubectl.screen.end()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m hack.demo",
        description=hack.demo.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--namespace",
        default="agentjobs-demo",
        help="where the job lives; it is created (default: %(default)s)",
    )
    arguments = parser.parse_args()
    try:
        demonstrate(arguments.namespace)
    except DemoError as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted; run it again, it goes on with what is there", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
