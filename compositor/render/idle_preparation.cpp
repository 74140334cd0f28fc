#include "compositor/render/idle_preparation.h"

#include <utility>

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

constexpr int nextTurnMilliseconds = 1; // 0 would stop the timer

} // namespace

IdlePreparation::IdlePreparation(wl_event_loop& loop, Renderer& renderer, std::function<bool()> framesWait)
    : renderer_(renderer), framesWait_(std::move(framesWait)),
      turn_(loop, *this, [](IdlePreparation& self) { self.onTurn(); }) {}

void IdlePreparation::frameShown() {
  if (prepared_ != renderer_.generation()) turn_.start(nextTurnMilliseconds);
}

void IdlePreparation::onTurn() {
  if (framesWait_()) return; // frameShown() follows
  if (renderer_.prepare()) {
    turn_.start(nextTurnMilliseconds);
    return;
  }
  prepared_ = renderer_.generation();
  log("render").debug("{} pipelines are made", renderer_.counters().pipelines);
}

} // namespace vitrine
