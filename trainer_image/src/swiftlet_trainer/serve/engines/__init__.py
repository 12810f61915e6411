"""The serving engines, each in a module by its name: see swiftlet_trainer.serve.choice."""
