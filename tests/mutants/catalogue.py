"""All mutants. What the tests once did not notice belongs here, and what nobody may ever take away."""

from __future__ import annotations

from tests.mutants.of_core import OF_CORE
from tests.mutants.of_runtime import OF_RUNTIME
from tests.mutants.of_stores import OF_STORES

MUTANTS = (*OF_CORE, *OF_RUNTIME, *OF_STORES)
