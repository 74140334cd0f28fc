#pragma once

#include <functional>
#include <span>
#include <string>

#include "compositor/output/display_list_builder.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

/**
 * Something that clients take pictures of: an output or a window.
 *
 * It gives its display list and draws nothing by itself. Captures draw the public view of that list (R5).
 */
class CaptureSource {
public:
  /** Its display list. Borrowed until control returns to the event loop. */
  struct Picture {
    std::span<const Layer> layers;
    std::span<const LayerSource> sources;
    Color background;
  };

  CaptureSource();
  CaptureSource(const CaptureSource&) = delete;
  CaptureSource& operator=(const CaptureSource&) = delete;

  /** For logs. Never a title. */
  [[nodiscard]] virtual std::string captureName() const = 0;
  /** Size of its pictures in pixels. Empty while there is nothing to take a picture of. */
  [[nodiscard]] virtual Size captureSize() const = 0;
  /** How its pictures are turned against what the user sees. */
  [[nodiscard]] virtual Transform captureTransform() const = 0;
  /** The least time between two pictures for a client that does not wait for changes. */
  [[nodiscard]] virtual Nanoseconds captureInterval() const = 0;
  /** What it shows now. Call it only while captureSize() is not empty. */
  [[nodiscard]] virtual Picture picture() = 0;

  /** A picture of it is being drawn. */
  void noteCapture(Nanoseconds time);
  [[nodiscard]] Nanoseconds lastCapture() const { return lastCapture_; }
  [[nodiscard]] uint64_t captures() const { return captures_; }
  /** What was drawn before the last call of forgetCaptures() must not be handed out. */
  [[nodiscard]] uint64_t captureEpoch() const { return epoch_; }

  struct {
    wl_signal changed; ///< it may look different, or have another size, or none
    wl_signal destroy;
  } captureEvents;

protected:
  ~CaptureSource(); ///< emits captureEvents.destroy
  void emitChanged() { wl_signal_emit_mutable(&captureEvents.changed, nullptr); }
  void forgetCaptures() { epoch_++; }

private:
  Nanoseconds lastCapture_ = 0;
  uint64_t captures_ = 0;
  uint64_t epoch_ = 0;
};

/** A source for as long as it exists. */
class CaptureSourceRef {
public:
  /** `onChanged` (if any) and `onGone` may destroy this object. In onGone, get() is null. */
  CaptureSourceRef(CaptureSource* source, std::function<void()> onChanged, std::function<void()> onGone);
  [[nodiscard]] CaptureSource* get() const { return source_; }

private:
  CaptureSource* source_;
  Listener<void> changed_;
  Listener<void> destroy_;
};

} // namespace vitrine
