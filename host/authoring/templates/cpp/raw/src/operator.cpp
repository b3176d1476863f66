// Exports the operator of this component.

#include "shout.hpp"

TG_EXPORT_RAW(shout::calls);
