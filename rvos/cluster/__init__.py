"""Running on a cluster: SLURM, preemption, ranks that die or hang.

Import the modules themselves: those of ``rvos slurm check`` (``slurm_*``, ``batch_script``) load
neither torch nor Lightning, the callbacks (``preemption``, ``rank_watch``) need both.
"""
