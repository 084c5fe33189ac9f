"""1,000 assets in ten layers, each made from three of the layer before."""

import dagster as dg


def make(layer, index):
    deps = [f"a{layer - 1}_{(index + step) % 100}" for step in range(3)] if layer else []

    @dg.asset(name=f"a{layer}_{index}", deps=deps)
    def asset():
        return None

    return asset


defs = dg.Definitions([make(layer, index) for layer in range(10) for index in range(100)])
