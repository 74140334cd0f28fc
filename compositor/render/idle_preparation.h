#pragma once

#include <functional>

#include "compositor/wlr/timer.h"
#include "protected-path/render/renderer.h"

namespace vitrine {

/**
 * Lets the renderer prepare for what may be drawn later (Renderer::prepare()): after an output has shown a frame, and one pipeline in
 * each turn of the event loop. So the start is not delayed, and no client's commit waits for more than one pipeline.
 */
class IdlePreparation {
public:
  /** `framesWait`: whether an output has something to show. Nothing is prepared then; its frame comes first. */
  IdlePreparation(wl_event_loop& loop, Renderer& renderer, std::function<bool()> framesWait);
  IdlePreparation(const IdlePreparation&) = delete;

  /** An output has shown a frame. */
  void frameShown();

private:
  void onTurn();
  Renderer& renderer_;
  std::function<bool()> framesWait_;
  Timer turn_;
  uint64_t prepared_ = 0; ///< the renderer's generation that has all it can prepare; 0: none
};

} // namespace vitrine
