"""Long work of staff: asked for at the admin, done by a worker step by step, with its progress and result on a page."""
