#include "tests/unit/liftoff_planner.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "tests/unit/board_libdrm.h"

extern "C" { // the header says nothing to C++
#include <libliftoff.h>
}

namespace vitrine::test {
namespace {

constexpr uint64_t rotate0 = 1; // DRM_MODE_ROTATE_0; the scenes turn nothing

void setBox(liftoff_layer* layer, const Rect& destination, const SourceRect& source) {
  liftoff_layer_set_property(layer, "CRTC_X", static_cast<uint64_t>(int64_t{destination.x}));
  liftoff_layer_set_property(layer, "CRTC_Y", static_cast<uint64_t>(int64_t{destination.y}));
  liftoff_layer_set_property(layer, "CRTC_W", static_cast<uint64_t>(destination.width));
  liftoff_layer_set_property(layer, "CRTC_H", static_cast<uint64_t>(destination.height));
  liftoff_layer_set_property(layer, "SRC_X", source.x.raw());
  liftoff_layer_set_property(layer, "SRC_Y", source.y.raw());
  liftoff_layer_set_property(layer, "SRC_W", source.width.raw());
  liftoff_layer_set_property(layer, "SRC_H", source.height.raw());
}

} // namespace

LiftoffPlanner::LiftoffPlanner(const Board& board) : board_(board) {
  if (boardDevice.board != nullptr) std::abort();
  boardDevice.board = &board;
  liftoff_log_set_priority(LIFTOFF_SILENT);
  const int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  device_ = liftoff_device_create(fd);
  ::close(fd); // it has its own
  if (device_ == nullptr || liftoff_device_register_all_planes(device_) != 0) std::abort();
  output_ = liftoff_output_create(device_, BoardDevice::crtcId);
  composition_ = liftoff_layer_create(output_);
  liftoff_output_set_composition_layer(output_, composition_);
  liftoff_layer_set_property(composition_, "FB_ID", BoardDevice::compositionFb);
  liftoff_layer_set_property(composition_, "zpos", 0);
  const Size size = board.output.size;
  setBox(composition_, {0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)},
         SourceRect::whole(size));
}

LiftoffPlanner::~LiftoffPlanner() {
  for (liftoff_layer* layer : layers_)
    liftoff_layer_destroy(layer);
  liftoff_layer_destroy(composition_);
  liftoff_output_destroy(output_);
  liftoff_device_destroy(device_);
  boardDevice = {};
}

void LiftoffPlanner::setLayer(size_t index, const Layer& layer, bool changed) {
  liftoff_layer* target = layers_[index];
  setBox(target, layer.destination, layer.source);
  liftoff_layer_set_property(target, "zpos", index + 1);
  if (layer.planeRefusal != Refusal::None) {
    liftoff_layer_set_fb_composited(target);
    return;
  }
  if (changed) otherBuffer_[index] = !otherBuffer_[index];
  liftoff_layer_set_property(target, "FB_ID", BoardDevice::layerFb(index, otherBuffer_[index]));
  liftoff_layer_set_property(target, "alpha", layer.alpha);
  liftoff_layer_set_property(target, "rotation", rotate0);
  const FormatInfo* format = formatInfo(layer.fourcc);
  if (format == nullptr || !format->isYuv) return;
  liftoff_layer_set_property(target, "COLOR_ENCODING", layer.encoding == ColorEncoding::Bt601 ? 0 : 1);
  liftoff_layer_set_property(target, "COLOR_RANGE", layer.range == ColorRange::Limited ? 0 : 1);
}

void LiftoffPlanner::plan(std::span<const Layer> layers, const std::vector<bool>& changed, FramePlan& plan) {
  boardDevice.layers = layers;
  boardDevice.tests = 0;
  boardDevice.secondsInTests = 0;
  while (layers_.size() < layers.size()) {
    layers_.push_back(liftoff_layer_create(output_));
    otherBuffer_.push_back(false);
  }
  for (size_t i = 0; i < layers.size(); ++i)
    setLayer(i, layers[i], changed[i]);
  drmModeAtomicReq* request = drmModeAtomicAlloc();
  const liftoff_output_apply_options options{};
  static_cast<void>(liftoff_output_apply(output_, request, 0, &options));
  drmModeAtomicFree(request);

  std::vector<uint32_t> framebuffers(board_.planes.size(), 0);
  const auto note = [&](liftoff_layer* layer, uint32_t framebuffer) {
    liftoff_plane* plane = liftoff_layer_get_plane(layer);
    if (plane == nullptr) return;
    const auto found = std::ranges::find(board_.planes, liftoff_plane_get_id(plane), &Plane::id);
    framebuffers[static_cast<size_t>(found - board_.planes.begin())] = framebuffer;
  };
  note(composition_, BoardDevice::compositionFb);
  for (size_t i = 0; i < layers.size(); ++i)
    note(layers_[i], BoardDevice::layerFb(i, false));
  plan = planOf(boardDevice, framebuffers);
}

unsigned LiftoffPlanner::tests() const {
  return boardDevice.tests;
}

double LiftoffPlanner::secondsInTests() const {
  return boardDevice.secondsInTests;
}

} // namespace vitrine::test
