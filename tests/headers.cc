// Nothing: what tests include, precompiled, belongs to a target with a source.
