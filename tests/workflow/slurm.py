"""A SLURM of this machine alone, for as long as tests need one: two nodes, of which one has GPUs.

Everything is on the loopback interface and in one folder; nothing is written elsewhere but links in
/etc/slurm, because the executor's inner `srun` is not told where the configuration is.
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

DAEMONS = ("munged", "slurmctld", "slurmd", "sbatch")
CONFIGURED = Path("/etc/slurm")
PORTS = {"controller": 26817, "n1": 27001, "n2": 27002}

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
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
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
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={n1} CPUs=4 RealMemory=16000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={n2} CPUs=4 RealMemory=16000 Gres=gpu:2
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
        if not socket.gethostbyname(host).startswith("127."):
            raise RuntimeError(f"{host} must be an address of the loopback interface.")
        for name in ("state", "spool-n1", "spool-n2"):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)  # munge refuses a socket that others cannot reach
        text = SLURM_CONF.format(host=host, folder=self.folder, **PORTS)
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
        for node in ("n1", "n2"):
            self.start_node(node)
        wait_until(lambda: set(self.idle_nodes()) == {"n1", "n2"}, 30)

    def idle_nodes(self) -> list[str]:
        """Return the nodes that wait for work."""
        return self.call("sinfo", "-h", "-N", "-p", "cpu", "-t", "idle", "-o", "%N").split()

    def start_node(self, node: str) -> None:
        """Start the daemon of a node."""
        self.call("slurmd", "-N", node)

    def kill(self, daemon: str) -> None:
        """Kill a daemon as a power cut would: `slurmctld`, `slurmd-n1`, `slurmd-n2`, `munged`."""
        pid = self.folder / f"{daemon}.pid"
        if pid.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid.read_text()), signal.SIGKILL)
            pid.unlink(missing_ok=True)

    def stop(self) -> None:
        """Cancel its jobs, stop its daemons, and take its links away."""
        with contextlib.suppress(RuntimeError):  # it may not have come up
            self.call("scancel", "--signal=KILL", "--user=root")
        for daemon in ("slurmd-n1", "slurmd-n2", "slurmctld", "munged"):
            self.kill(daemon)
        subprocess.run(["pkill", "-KILL", "-x", "slurmstepd"], check=False, timeout=10)
        for name in ("slurm.conf", "gres.conf"):
            (CONFIGURED / name).unlink(missing_ok=True)

    def jobs(self, *states: str) -> list[str]:
        """Return the ids of the jobs in these states, or of all that have not ended."""
        asked = ("-t", ",".join(states)) if states else ()
        return self.call("squeue", "-h", "-o", "%A", *asked).split()

    def call(self, *command: str) -> str:
        """Run one of its commands; return what it prints."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout


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
