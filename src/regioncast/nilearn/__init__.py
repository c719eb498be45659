"""nilearn's functions as nilearn documents them, and nilearn patched to use them."""
