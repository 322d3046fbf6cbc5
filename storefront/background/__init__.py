"""The programs beat and worker: that one beat alone sends, and that a process which hangs ends itself."""
