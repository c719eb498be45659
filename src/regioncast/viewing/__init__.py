"""What people look at: pages and figures, all of them made of images of codes."""
