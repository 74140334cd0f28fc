#include "protected-path/base/refusal.h"

namespace vitrine {
namespace {

struct Words {
  Refusal refusal;
  std::string_view name;
  std::string_view words;
};

constexpr Words table[] = {
    {Refusal::None, "None", ""},
    {Refusal::HeapAbsent, "HeapAbsent", "no heap of the needed class exists"},
    {Refusal::HeapNoPermission, "HeapNoPermission", "the heap's node may not be opened"},
    {Refusal::HeapExhausted, "HeapExhausted", "the heap has no room left"},
    {Refusal::HeapRequestInvalid, "HeapRequestInvalid", "the heap does not take such a request"},
    {Refusal::HeapDenied, "HeapDenied", "the heap does not serve this caller"},
    {Refusal::HeapFailed, "HeapFailed", "the heap failed"},
    {Refusal::HeapUnsuitable, "HeapUnsuitable", "the heap's memory is not of the class that is needed"},
    {Refusal::HeapUnproven, "HeapUnproven", "the heap's name says protected, but its buffers can be mapped by the CPU"},
    {Refusal::HeapScattered, "HeapScattered", "the heap gives single pages, and a consumer needs one piece"},
    {Refusal::HeapTooSmall, "HeapTooSmall", "the heap's pool is smaller than the buffer"},
    {Refusal::HeapRefused, "HeapRefused", "a consumer does not take the heap's buffers"},
    {Refusal::HeapDisturbs, "HeapDisturbs", "taking from the heap stops the machine for a while"},
    {Refusal::ConsumersDisagree, "ConsumersDisagree", "nothing suits all who will write or read the buffer"},
    {Refusal::NotADmabuf, "NotADmabuf", "the fd is not a dma-buf"},
    {Refusal::SizeInvalid, "SizeInvalid", "the size is zero or larger than anything can show"},
    {Refusal::LayoutOutOfBounds, "LayoutOutOfBounds", "a plane passes the end of its dma-buf"},
    {Refusal::StrideTooSmall, "StrideTooSmall", "a row does not fit its stride"},
    {Refusal::PlaneCountWrong, "PlaneCountWrong", "the format has another number of planes"},
    {Refusal::FormatUnknown, "FormatUnknown", "the format is not known"},
    {Refusal::ModifierUnsupported, "ModifierUnsupported", "nothing here takes this modifier"},
    {Refusal::NoMap, "NoMap", "the buffer is no_map: it may not be mapped for the CPU"},
    {Refusal::BufferRefused, "BufferRefused", "the buffer is not taken"},
    {Refusal::NotProven, "NotProven", "nothing proves that the CPU cannot read the buffer"},
    {Refusal::GpuAbsent, "GpuAbsent", "there is no Vulkan device"},
    {Refusal::GpuNoProtectedMemory, "GpuNoProtectedMemory", "the Vulkan device has no protectedMemory"},
    {Refusal::GpuNoDmabufImport, "GpuNoDmabufImport", "the Vulkan device cannot import dma-bufs"},
    {Refusal::GpuFormatUnsupported, "GpuFormatUnsupported", "the Vulkan device cannot sample this format and modifier"},
    {Refusal::GpuImportFailed, "GpuImportFailed", "the Vulkan driver refused the import"},
    {Refusal::GpuSizeUnsupported, "GpuSizeUnsupported", "the Vulkan device has no images of this size"},
    {Refusal::CompositionConfiguredOff, "CompositionConfiguredOff",
     "composing protected content is switched off by configuration"},
    {Refusal::ClaimWithoutEvidence, "ClaimWithoutEvidence", "claimed as protected without evidence: kept from the GPU"},
    {Refusal::PlaneNone, "PlaneNone", "no plane is left"},
    {Refusal::PlaneFormat, "PlaneFormat", "no plane takes this format"},
    {Refusal::PlaneModifier, "PlaneModifier", "no plane takes this modifier"},
    {Refusal::PlaneScaling, "PlaneScaling", "no plane can scale or crop it so"},
    {Refusal::PlaneTransform, "PlaneTransform", "no plane can turn it so"},
    {Refusal::PlaneAlpha, "PlaneAlpha", "no plane can make it translucent"},
    {Refusal::PlaneEncoding, "PlaneEncoding", "no plane converts this colour encoding and range"},
    {Refusal::PlaneBlending, "PlaneBlending", "it is not opaque, and its place in the stack needs that"},
    {Refusal::PlaneOffScreen, "PlaneOffScreen", "no plane can be placed there"},
    {Refusal::PlaneCovered, "PlaneCovered", "composed content lies over it and no plane lies under that"},
    {Refusal::PlaneNotDmabuf, "PlaneNotDmabuf", "it is not in a dma-buf"},
    {Refusal::PlaneFramebufferRefused, "PlaneFramebufferRefused", "the kernel refused the framebuffer"},
    {Refusal::PlaneTestRefused, "PlaneTestRefused", "the hardware's TEST_ONLY said no"},
    {Refusal::PlaneCommitFailed, "PlaneCommitFailed", "the commit failed although its TEST_ONLY passed"},
    {Refusal::PlaneConfiguredOff, "PlaneConfiguredOff", "planes are switched off by configuration"},
    {Refusal::PlaneNotWorthIt, "PlaneNotWorthIt", "it changes too seldom to be worth a plane"},
    {Refusal::OutputNotAllowed, "OutputNotAllowed", "this output may not show protected content"},
    {Refusal::ViewPublic, "ViewPublic", "this view can be read"},
};

const Words& wordsOf(Refusal refusal) {
  for (const Words& words : table) {
    if (words.refusal == refusal) return words;
  }
  return table[0];
}

} // namespace

std::string_view refusalName(Refusal refusal) {
  return wordsOf(refusal).name;
}

std::string_view refusalWords(Refusal refusal) {
  return wordsOf(refusal).words;
}

std::unexpected<Error> refused(Refusal refusal, std::string_view operation, std::string_view object,
                               std::string_view remedy) {
  return std::unexpected(Error{ErrorKind::Refused, static_cast<int>(refusal), std::string(operation),
                               std::string(object), std::string(refusalWords(refusal)), std::string(remedy)});
}

Refusal refusalOf(const Error& error, Refusal otherwise) {
  return error.kind == ErrorKind::Refused ? static_cast<Refusal>(error.number) : otherwise;
}

} // namespace vitrine
