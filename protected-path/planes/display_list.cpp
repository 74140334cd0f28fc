#include "protected-path/planes/display_list.h"

#include <algorithm>

namespace vitrine {

const char* pathName(Path path) {
  switch (path) {
  case Path::Composited:
    return "composited";
  case Path::Plane:
    return "plane";
  case Path::Placeholder:
    return "placeholder";
  }
  return "unknown";
}

unsigned FramePlan::planesUsed() const {
  return static_cast<unsigned>(std::ranges::count(layers, Path::Plane, &LayerOutcome::path));
}

} // namespace vitrine
