// Exports the operator of this component.

#include "minutes.hpp"

TIDEGATE_EXPORT(minutes);
