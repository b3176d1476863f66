// Exports the operator of this component.

#include "deliveries.hpp"

TIDEGATE_EXPORT(deliveries);
