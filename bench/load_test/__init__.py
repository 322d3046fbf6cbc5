"""The whole shop under fire: real processes, every fault, processes killed at random; then the proof.

`stage` runs the processes, `customers` order, `faults` breaks things, `settling` waits for the end and is the admin,
`verdict` compares what upstream has with what the shop says, `run` puts them together.
"""
