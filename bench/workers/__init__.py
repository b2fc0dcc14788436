"""Programs that the rows start in processes of their own: library code, and other people's libraries."""
