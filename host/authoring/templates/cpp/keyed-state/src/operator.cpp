// Exports the operator of this component.

#include "total.hpp"

TIDEGATE_EXPORT(total);
