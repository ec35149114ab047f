"""Release documents: what an application's author says of a version, such as a model card or a manual."""
