// Files that people give by mistake where weights belong, told by their first bytes.
#pragma once

#include <string>
#include <string_view>

#include "rnx/config.hpp"

namespace rnx::inline RNX_ABI::io {

/// What a file that begins with these bytes is, and what to do with it; "" where it is none that is
/// known. Eight bytes are enough.
inline std::string foreign_format(std::string_view begin) {
  const auto byte = [&](std::size_t i) {
    return i < begin.size() ? static_cast<unsigned char>(begin[i]) : 0u;
  };
  const auto starts = [&](std::string_view magic) { return begin.starts_with(magic); };
  const std::string torch =
      ": load it in Python (torch.load) and write its state dict with safetensors.torch.save_file";
  if (starts("PK\3\4")) return "a zip archive, as torch.save writes .pt and .pth files" + torch;
  if (byte(0) == 0x80 && byte(1) >= 2 && byte(1) <= 5)
    return "a Python pickle, as torch.save wrote .pt and .pth files" + torch;
  if (starts("version "))
    return "a Git LFS pointer, which stands for the file: git lfs pull fetches it";
  if (starts("<!") || starts("<html") || starts("<HTML"))
    return "an HTML page: what was downloaded is not the file but a page about it";
  if (starts("\x89HDF"))
    return "an HDF5 file, as Keras writes them: write the tensors with safetensors under PyTorch's "
           "names";
  if (byte(0) == 8 && byte(1) < 32 && (byte(2) == 0x12 || byte(2) == 0x3A))
    return "an ONNX model: write the state dict of the PyTorch model with "
           "safetensors.torch.save_file";
  if (starts("GGUF")) return "a GGUF file, which does not hold image classifiers";
  if (starts("\x93NUMPY"))
    return "a .npy file: rnx-convert from-npy makes weights of a folder of them";
  if (byte(0) == 0x1F && byte(1) == 0x8B) return "a gzip archive: gunzip unpacks it";
  if (starts("{")) return "a JSON text, like the index of weights in several files";
  return "";
}

}  // namespace rnx::inline RNX_ABI::io
