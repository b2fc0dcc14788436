"""The programs that are measured, each as its users install it."""
