"""What a stage sees of the world: StageContext, with the journal, the artifact store and the stop signal behind it."""
