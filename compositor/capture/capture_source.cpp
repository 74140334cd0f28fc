#include "compositor/capture/capture_source.h"

namespace vitrine {

CaptureSource::CaptureSource() {
  wl_signal_init(&captureEvents.changed);
  wl_signal_init(&captureEvents.destroy);
}

CaptureSource::~CaptureSource() {
  wl_signal_emit_mutable(&captureEvents.destroy, nullptr);
}

void CaptureSource::noteCapture(Nanoseconds time) {
  lastCapture_ = time;
  captures_++;
}

CaptureSourceRef::CaptureSourceRef(CaptureSource* source, std::function<void()> onChanged, std::function<void()> onGone)
    : source_(source) {
  if (source == nullptr) return;
  if (onChanged != nullptr)
    changed_.connect(source->captureEvents.changed, [onChanged = std::move(onChanged)](void*) { onChanged(); });
  destroy_.connect(source->captureEvents.destroy, [this, onGone = std::move(onGone)](void*) {
    source_ = nullptr;
    changed_.disconnect();
    destroy_.disconnect();
    onGone();
  });
}

} // namespace vitrine
