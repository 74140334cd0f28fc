#include "compositor/render/idle_preparation.h"

#include <utility>

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

constexpr int nextTurnMilliseconds = 1; // 0 would disarm the timer

} // namespace

IdlePreparation::IdlePreparation(wl_event_loop& loop, Renderer& renderer, std::function<bool()> framesWait)
    : renderer_(renderer), framesWait_(std::move(framesWait)), turn_(wl_event_loop_add_timer(
                                                                   &loop,
                                                                   [](void* data) {
                                                                     static_cast<IdlePreparation*>(data)->onTurn();
                                                                     return 0;
                                                                   },
                                                                   this)) {}

IdlePreparation::~IdlePreparation() {
  wl_event_source_remove(turn_);
}

void IdlePreparation::frameShown() {
  if (prepared_ != renderer_.generation()) wl_event_source_timer_update(turn_, nextTurnMilliseconds);
}

void IdlePreparation::onTurn() {
  if (framesWait_()) return; // frameShown() follows
  if (renderer_.prepare()) {
    wl_event_source_timer_update(turn_, nextTurnMilliseconds);
    return;
  }
  prepared_ = renderer_.generation();
  log("render").debug("{} pipelines are made", renderer_.counters().pipelines);
}

} // namespace vitrine
