"""Key maps between file formats, over plain state dicts."""
