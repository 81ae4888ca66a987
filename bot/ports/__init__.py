"""What the runtime needs from the world, as protocols, a module for each purpose. Nothing here imports another part."""
