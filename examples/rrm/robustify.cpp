#include <algorithm>

#include <rnx/io/npy.hpp>

#include "../tools/run_json.hpp"
#include "measure.hpp"

namespace rrm {

using namespace rnx;
namespace fs = std::filesystem;

Tensor<float> batch_of(const data::Source& source, const std::vector<std::uint32_t>& ids) {
  std::vector<float> pixels(ids.size() * source.dims().count());
  for (std::size_t i = 0; i < ids.size(); ++i)
    source.sample(ids[i], {}, {}, pixels.data() + i * source.dims().count());
  Tensor<float> x(int(ids.size()), source.dims());
  x.upload(pixels);
  return x;
}
namespace {

std::vector<std::uint8_t> bytes_of(const std::vector<float>& pixels) {
  std::vector<std::uint8_t> bytes(pixels.size());
  std::transform(pixels.begin(), pixels.end(), bytes.begin(),
                 [](float v) { return std::uint8_t(255 * v + 0.5f); });
  return bytes;
}
std::vector<std::size_t> shape_of(std::size_t n, Dims d) {
  return {n, std::size_t(d.h), std::size_t(d.w), std::size_t(d.c)};
}

/// One split as arrays; `pixels`: of the first images, made anew.
void write_split(const fs::path& folder, const std::string& split, const data::Source& source,
                 std::vector<std::uint8_t> pixels) {
  const std::size_t n = pixels.empty() ? source.size() : pixels.size() / source.dims().count();
  std::vector<std::int32_t> labels(n);
  for (std::size_t i = 0; i < n; ++i) labels[i] = source.label(std::uint32_t(i));
  if (pixels.empty()) {
    std::vector<float> sample(source.dims().count());
    for (std::size_t i = 0; i < n; ++i) {
      source.sample(std::uint32_t(i), {}, {}, sample.data());
      const auto bytes = bytes_of(sample);
      pixels.insert(pixels.end(), bytes.begin(), bytes.end());
    }
  }
  io::write_npy(folder / (split + "_images.npy"), shape_of(n, source.dims()), pixels.data());
  io::write_npy(folder / (split + "_labels.npy"), {n}, labels.data());
}

/// The images that robustify makes, batch by batch.
class Robustified {
 public:
  Robustified(const NetworkBase<float>& net, const data::Source& source, int steps,
              const fs::path& folder)
      : net_(net),
        source_(source),
        inversion_{.steps = steps},
        folder_(folder),
        work_(net, batch, 0, inversion_.keep()) {}

  static constexpr int batch = 8;
  std::string describe() const { return inversion_.describe(); }

  /// Samples first .. first + n, from the file that holds them or anew.
  std::vector<std::uint8_t> part(std::size_t first, std::size_t n) {
    const fs::path file = folder_ / fmt::format("part-{:06}.npy", first);
    if (is_there(file)) return io::NpyFile::read(file).take_bytes();
    std::vector<std::uint32_t> ids(n), others(n);
    const std::size_t all = source_.size();
    const rng::Stream random(0, Purpose::data);
    for (std::size_t i = 0; i < n; ++i) {  // another image, of any class
      ids[i] = std::uint32_t(first + i);
      others[i] = std::uint32_t((ids[i] + 1 + random.bits(ids[i]) % (all - 1)) % all);
    }
    const Tensor<float> x = batch_of(source_, ids), start = batch_of(source_, others);
    Tensor<float> result(int(n), source_.dims());
    inversion_(net_, work_, x.view(), start.view(), result.view(),
               {.stop = &tools::stop_on_signals()});
    const std::vector<float> pixels = result.download();
    attack::verify<norm::L2>(start.download(), pixels, int(n), inversion_.eps);
    const std::vector<std::uint8_t> bytes = bytes_of(pixels);
    io::write_npy(file, shape_of(n, source_.dims()), bytes.data());
    return bytes;
  }

 private:
  const NetworkBase<float>& net_;
  const data::Source& source_;
  attack::Inversion<> inversion_;
  fs::path folder_;
  attack::Workspace<float> work_;
};

}  // namespace

std::string teacher_of_images(const fs::path& folder) {
  return is_there(folder / "robust.json")
             ? read_json(folder / "robust.json").value("/teacher/checksum"_json_pointer, "")
             : "";
}

void robustify(const Row& row, const fs::path& teacher, const tools::DataOptions& o,
               const fs::path& folder, Images& images, tools::Display& display) {
  const tools::DataSet& set = images.of(o, true);
  const tools::LoadedTeacher by = tools::load_teacher(teacher.string(), "", *set.train);
  const std::size_t wanted = row.settings.value("images", std::size_t(0)),
                    n = wanted ? std::min(wanted, set.train->size()) : set.train->size();
  require(set.train->size() > 1, "robustify: it needs another image to start from");
  Robustified made(*by.net, *set.train, row.settings.value("steps", 1000), folder);
  Json what{{"program", "rnx-rrm"},
            {"teacher", {{"model", by.model}, {"checksum", by.checksum}}},
            {"images", n},
            {"of", set.train->fingerprint()},
            {"attack", made.describe()}};
  tools::make_writable("--out", folder);
  const tools::FolderLock lock("--out", folder, "rnx-rrm");
  if (is_there(folder / "robust.json")) {
    Json stored = read_json(folder / "robust.json");
    const bool finished = stored.erase("finished") > 0;
    const std::string difference = tools::first_difference(stored, what);
    require(difference.empty(), [&] {
      return folder.string() + ": it holds the robustified images of something else: " + difference;
    });
    if (finished) return;
  }
  io::write_file(folder / "robust.json", tools::text_of(what));
  tools::work_begins("this batch");
  std::vector<std::uint8_t> pixels;
  const auto count = display.counting(row.name);
  for (std::size_t first = 0; first < n; first += Robustified::batch) {
    tools::check_stop();
    const auto part = made.part(first, std::min<std::size_t>(Robustified::batch, n - first));
    pixels.insert(pixels.end(), part.begin(), part.end());
    count(pixels.size() / set.train->dims().count(), n);
  }
  display.done();
  write_split(folder, "train", *set.train, std::move(pixels));
  write_split(folder, "test", *set.test, {});
  std::string names;
  for (const std::string& name : set.train->class_names()) names += name + "\n";
  if (!names.empty()) io::write_file(folder / "class_names.txt", names);
  what["finished"] = tools::now_text();
  io::write_file(folder / "robust.json", tools::text_of(what));
}

}  // namespace rrm
