#include "tests/platform/gpu/shader_uses.h"

#include <algorithm>

namespace vitrine::gpu {
namespace {

// From the SPIR-V specification, unified 1.6: opcodes, decorations, storage classes, execution models,
// dimensionalities.
constexpr uint32_t headerWords = 5;
enum Op : uint32_t {
  OpEntryPoint = 15,
  OpTypeImage = 25,
  OpTypeArray = 28,
  OpTypeRuntimeArray = 29,
  OpTypeStruct = 30,
  OpTypePointer = 32,
  OpVariable = 59,
  OpDecorate = 71,
  OpMemberDecorate = 72,
};
enum Decoration : uint32_t { BufferBlock = 3, NonWritable = 24, Binding = 33, DescriptorSetNumber = 34 };
enum StorageClass : uint32_t { UniformConstant = 0, Uniform = 2, StorageBuffer = 12 };
enum ExecutionModel : uint32_t { Fragment = 4, GLCompute = 5 };
enum Dim : uint32_t { SubpassData = 6 };

struct Type {
  Op op = OpTypeStruct;
  uint32_t inner = 0;        ///< of a pointer or array: the type of its target or elements
  bool storageImage = false; ///< an image whose Sampled operand is 2, except an input attachment
  uint32_t members = 0;      ///< number of members of a structure
};

struct Variable {
  uint32_t type = 0;
  uint32_t storageClass = 0;
};

struct Decorations {
  std::optional<uint32_t> set, binding;
  bool bufferBlock = false, nonWritable = false;
  uint32_t nonWritableMembers = 0;
};

struct Module {
  std::map<uint32_t, Type> types;
  std::map<uint32_t, Variable> variables;
  std::map<uint32_t, Decorations> decorations;
  bool framebufferOrCompute = true; ///< no entry point is of another stage
};

void decorate(Decorations& target, uint32_t decoration, std::span<const uint32_t> operands) {
  if (decoration == BufferBlock) target.bufferBlock = true;
  if (decoration == NonWritable) target.nonWritable = true;
  if (decoration == Binding && !operands.empty()) target.binding = operands[0];
  if (decoration == DescriptorSetNumber && !operands.empty()) target.set = operands[0];
}

/** One instruction. `words` begins with its first operand. An instruction that is too short is invalid and skipped. */
void read(Module& module, uint32_t op, std::span<const uint32_t> words) {
  if (words.size() < 2) {
    if (op == OpTypeStruct && words.size() == 1) module.types[words[0]] = {.op = OpTypeStruct};
    return;
  }
  switch (op) {
  case OpEntryPoint:
    if (words[0] != Fragment && words[0] != GLCompute) module.framebufferOrCompute = false;
    break;
  case OpTypeImage: // result, sampled type, dim, depth, arrayed, multisampled, sampled
    module.types[words[0]] = {.op = OpTypeImage,
                              .storageImage = words.size() > 6 && words[6] == 2 && words[2] != SubpassData};
    break;
  case OpTypeArray:
  case OpTypeRuntimeArray:
    module.types[words[0]] = {.op = static_cast<Op>(op), .inner = words[1]};
    break;
  case OpTypeStruct:
    module.types[words[0]] = {.op = OpTypeStruct, .members = static_cast<uint32_t>(words.size() - 1)};
    break;
  case OpTypePointer:
    if (words.size() > 2) module.types[words[0]] = {.op = OpTypePointer, .inner = words[2]};
    break;
  case OpVariable: // type, result, storage class
    if (words.size() > 2) module.variables[words[1]] = {words[0], words[2]};
    break;
  case OpDecorate:
    decorate(module.decorations[words[0]], words[1], words.subspan(2));
    break;
  case OpMemberDecorate:
    if (words.size() > 2 && words[2] == NonWritable) module.decorations[words[0]].nonWritableMembers += 1;
    break;
  default:
    break;
  }
}

Module parse(std::span<const uint32_t> spirv) {
  Module module;
  for (size_t at = headerWords; at < spirv.size();) {
    const size_t count = spirv[at] >> 16;
    if (count == 0 || at + count > spirv.size()) break;
    read(module, spirv[at] & 0xffff, spirv.subspan(at + 1, count - 1));
    at += count;
  }
  return module;
}

/** The type of a variable without its pointer and arrays. */
uint32_t contentOf(const Module& module, uint32_t type) {
  auto found = module.types.find(type);
  while (found != module.types.end() && found->second.inner != 0) {
    type = found->second.inner;
    found = module.types.find(type);
  }
  return type;
}

bool mayWrite(const Module& module, const Variable& variable, const Decorations& own) {
  const uint32_t content = contentOf(module, variable.type);
  const auto type = module.types.find(content);
  if (type == module.types.end() || own.nonWritable) return false;
  if (variable.storageClass == UniformConstant) return type->second.storageImage;
  const Decorations decorations = lookUp(module.decorations, content);
  const bool storage =
      variable.storageClass == StorageBuffer || (variable.storageClass == Uniform && decorations.bufferBlock);
  return storage && decorations.nonWritableMembers < std::max(type->second.members, 1U);
}

} // namespace

BindingUses bindingUses(std::span<const uint32_t> spirv) {
  const Module module = parse(spirv);
  BindingUses uses;
  for (const auto& [id, variable] : module.variables) {
    const Decorations decorations = lookUp(module.decorations, id);
    if (!decorations.binding) continue;
    BindingUse& use = uses[{decorations.set.value_or(0), *decorations.binding}];
    const bool writes = mayWrite(module, variable, decorations);
    if (module.framebufferOrCompute) {
      use.framebufferOrComputeWrites |= writes;
    } else {
      use.otherStage = true;
      use.otherStageWrites |= writes;
    }
  }
  return uses;
}

} // namespace vitrine::gpu
