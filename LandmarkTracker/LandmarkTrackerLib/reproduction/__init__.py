"""The whole evaluation of Frueh et al. 2022 on other images: what is trained, measured and shown."""
