#include "tests/unit/board.h"

#include <algorithm>

#include "protected-path/planes/layer_fit.h"

namespace vitrine::test {
namespace {

bool takes(const BoardRules& rules, const Layer& layer, uint32_t planeId) {
  const auto found = std::ranges::find(rules.planes, planeId, &BoardRules::OfPlane::planeId);
  const BoardRules::OfPlane plane = found != rules.planes.end() ? *found : BoardRules::OfPlane{};
  if (!plane.sizes.empty() && !std::ranges::contains(plane.sizes, layer.bufferSize)) return false;
  if (plane.mostSourceWidth != 0 && layer.source.width.whole() > plane.mostSourceWidth) return false;
  if (!needsScaling(layer)) return true;
  double width = layer.destination.width;
  double height = layer.destination.height;
  if (swapsAxes(layer.transform)) std::swap(width, height);
  const double scaleX = width / layer.source.width.toDouble();
  const double scaleY = height / layer.source.height.toDouble();
  if (plane.leastScale == 1 && plane.mostScale == 1) return false;
  return std::min(scaleX, scaleY) >= plane.leastScale && std::max(scaleX, scaleY) <= plane.mostScale;
}

} // namespace

bool accepts(const Board& board, std::span<const Layer> layers, const FramePlan& plan) {
  const BoardRules& rules = board.rules;
  const double output = static_cast<double>(board.output.size.width) * board.output.size.height;
  const auto primary = std::ranges::find(board.planes, board.output.primaryId, &Plane::id);
  auto planes = static_cast<unsigned>(plan.composed().size());
  unsigned scaled = 0;
  unsigned yuv = 0;
  double bandwidth = output * planes;
  bool primaryOn = std::ranges::contains(plan.composed(), primary->id, &ComposedBuffer::planeId);
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerOutcome& outcome = plan.layers[i];
    if (outcome.path != Path::Plane) continue;
    if (!takes(rules, layers[i], outcome.planeId)) return false;
    const FormatInfo* format = formatInfo(layers[i].fourcc);
    planes += 1;
    scaled += needsScaling(layers[i]) ? 1 : 0;
    yuv += format != nullptr && format->isYuv ? 1 : 0;
    bandwidth += layers[i].source.width.toDouble() * layers[i].source.height.toDouble();
    primaryOn = primaryOn || outcome.planeId == primary->id;
    const auto plane = std::ranges::find(board.planes, outcome.planeId, &Plane::id);
    if (!rules.cursorNotOverYuv || plane->type != PlaneType::Cursor) continue;
    for (size_t below = 0; below < i; ++below) {
      const FormatInfo* lower = formatInfo(layers[below].fourcc);
      if (plan.layers[below].path == Path::Plane && lower != nullptr && lower->isYuv &&
          overlaps(layers[below].destination, layers[i].destination)) {
        return false;
      }
    }
  }
  if (rules.primaryNeeded && planes > 0 && !primaryOn) return false;
  return planes <= rules.mostPlanes && scaled <= rules.mostScaled && yuv <= rules.mostYuv &&
         bandwidth <= rules.mostBandwidth * output;
}

} // namespace vitrine::test
