"""A SLURM of this machine alone, for as long as tests need one: two nodes, of which one has GPUs.

Everything is in one folder; nothing is written elsewhere but links in /etc/slurm, because the
executor's inner `srun` is not told where the configuration is. The machine's name must resolve.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

DAEMONS = ("munged", "slurmctld", "slurmd", "sbatch")
CONFIGURED = Path("/etc/slurm")
NODES = ("n1", "n2")

# Read by slurmctld, slurmd and all commands. No accounts are kept and nothing is confined: without
# root's control groups, a job that takes more memory than it asked for is stopped by SLURM itself.
SLURM_CONF = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
{addresses}
SlurmctldPort={controller}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=256
PropagateResourceLimits=NONE
MailProg=/bin/true
MinJobAge=3600
KillWait=2
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=10
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={n1} CPUs=4 RealMemory=64000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={n2} CPUs=4 RealMemory=64000 Gres=gpu:2
PartitionName=cpu Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=n2 MaxTime=INFINITE State=UP
"""


class Slurm:
    """A running cluster.

    Args:
        folder: for its state, logs and sockets.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}

    @staticmethod
    def missing() -> list[str]:
        """Return what the machine lacks of a cluster."""
        lacking = [name for name in DAEMONS if shutil.which(name) is None]
        if os.getuid() != 0:
            lacking.append("root")
        lacking += [
            f"{path} is a cluster's own"
            for name in ("slurm.conf", "gres.conf")
            if (path := CONFIGURED / name).exists() and not path.is_symlink()
        ]
        return lacking

    def start(self) -> None:
        """Start its daemons, and wait until both nodes are idle."""
        host = socket.gethostname().partition(".")[0]
        # Daemons listen where the machine's name leads; if that is elsewhere, anywhere.
        is_loopback = socket.gethostbyname(host).startswith("127.")
        addresses = "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny" if is_loopback else ""
        for name in ("state", *(f"spool-{node}" for node in NODES)):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)  # munge refuses a socket that others cannot reach
        text = SLURM_CONF.format(host=host, folder=self.folder, addresses=addresses, **free_ports())
        (self.folder / "slurm.conf").write_text(text)
        for number in range(2):  # that exist is all that SLURM asks of its GPUs
            os.mknod(self.folder / f"gpu{number}", 0o666 | 0o020000, os.makedev(1, 3))
        gpus = f"NodeName=n2 Name=gpu File={self.folder}/gpu[0-1]\n"
        (self.folder / "gres.conf").write_text(f"AutoDetect=off\n{gpus}")
        CONFIGURED.mkdir(exist_ok=True)
        for name in ("slurm.conf", "gres.conf"):
            (CONFIGURED / name).unlink(missing_ok=True)
            (CONFIGURED / name).symlink_to(self.folder / name)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        self.call(
            *("munged", f"--key-file={key}", f"--socket={self.folder}/munge.socket"),
            *(f"--{what}-file={self.folder}/munged.{what}" for what in ("pid", "log", "seed")),
        )
        self.call("slurmctld", "-c")
        for node in NODES:
            self.start_node(node)

    def start_node(self, node: str) -> None:
        """Start the daemon of a node, and wait until it is idle."""
        # What runs on a node is known by this variable; its daemon hands it on.
        self.call("slurmd", "-N", node, SLURMD_NODENAME=node)
        wait_until(lambda: self._is_idle(node), 60)

    def restart_controller(self) -> None:
        """Stop the daemon that schedules, as for an upgrade, and start it again."""
        controller = psutil.Process(int((self.folder / "slurmctld.pid").read_text()))
        self.call("scontrol", "shutdown", "slurmctld")
        ended = psutil.STATUS_ZOMBIE
        wait_until(lambda: not controller.is_running() or controller.status() == ended, 60)
        self.call("slurmctld")

    def kill_node(self, node: str) -> None:
        """Kill all that runs on a node, as a power cut would."""
        self._kill_all(SLURMD_NODENAME=node)

    def kill_job(self, job: str) -> None:
        """Kill the processes of a job without notice."""
        self._kill_all(SLURM_JOB_ID=job)

    def stop(self) -> None:
        """Kill its jobs and daemons, and take its links away."""
        for node in NODES:
            self.kill_node(node)
        for daemon in ("slurmctld", "munged"):
            self._kill(daemon)
        for name in ("slurm.conf", "gres.conf"):
            (CONFIGURED / name).unlink(missing_ok=True)

    def _is_idle(self, node: str) -> bool:
        with contextlib.suppress(RuntimeError):  # the controller may not answer yet
            return node in self.call("sinfo", "-h", "-N", "-t", "idle", "-o", "%N")
        return False

    def _kill(self, daemon: str) -> None:
        pid = self.folder / f"{daemon}.pid"
        if pid.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid.read_text()), signal.SIGKILL)
            pid.unlink(missing_ok=True)

    def _kill_all(self, **variables: str) -> None:
        """Kill this cluster's processes in whose environment this is, and all that they started."""
        own = {"SLURM_CONF": self.environment["SLURM_CONF"], **variables}
        lines = {f"{name}={value}".encode() for name, value in own.items()}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                # Split by hand: psutil ends at the name by which a job's daemon calls itself.
                if lines <= set(Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")):
                    for one in (process, *process.children(recursive=True)):
                        one.kill()

    def jobs(self, *states: str) -> list[str]:
        """Return the ids of the jobs in these states, or of all that have not ended."""
        asked = ("-t", ",".join(states)) if states else ()
        return self.call("squeue", "-h", "-o", "%A", *asked).split()

    def call(self, *command: str, **variables: str) -> str:
        """Run one of its commands, with variables of its own; return what it prints."""
        done = subprocess.run(
            command,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout


def free_ports() -> dict[str, int]:
    """Return a port for each daemon."""
    with contextlib.ExitStack() as stack:
        sockets = {name: stack.enter_context(socket.socket()) for name in ("controller", *NODES)}
        for one in sockets.values():
            one.bind(("127.0.0.1", 0))
        return {name: one.getsockname()[1] for name, one in sockets.items()}


def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: it did not in so many seconds.
    """
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"Not after {seconds} s.")
        time.sleep(0.1)
