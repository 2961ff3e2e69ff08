"""What keeps a run's processes together."""

import os
import subprocess
import sys

from watching import runs, wait_for_the_end_of

from oleander.engines.processes import descendants

CHAIN = """
import os, subprocess, sys, time
from oleander.engines.processes import adopt_orphans, end_descendants, descendants
adopt_orphans()
orphan = "import subprocess as s; print(s.Popen(['sleep', '60'], start_new_session=True, stdout=-3, stderr=-3).pid)"
pid = int(subprocess.run([sys.executable, "-c", orphan], capture_output=True, check=True).stdout)
assert descendants(os.getpid()) == [pid], descendants(os.getpid())
end_descendants()
assert descendants(os.getpid()) == []
print(pid)
"""

FAMILY = """
import os, subprocess, sys, time
from functools import partial
from oleander.engines.processes import die_with_parent
child = subprocess.Popen(["sleep", "60"], preexec_fn=partial(die_with_parent, os.getpid()))
print(child.pid, flush=True)
time.sleep(60)
"""


def test_an_orphan_in_a_session_of_its_own_is_found_and_ended() -> None:
    """A grandchild whose parent has left comes back to the adopter, and does not outlive `end_descendants`."""
    done = subprocess.run([sys.executable, "-c", CHAIN], capture_output=True, text=True, check=True)
    assert not runs(int(done.stdout))


def test_a_child_dies_with_a_parent_that_is_killed() -> None:
    """The kernel ends the child when the parent is gone by SIGKILL, which nobody can handle."""
    parent = subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert child in descendants(os.getpid())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for_the_end_of(child)
