// Random command lines, valid and not, on tiny data: whatever is asked, an executable ends with 0,
// 2, 3 or 75, says one sentence where it refuses, and leaves a whole report exactly where it
// succeeded. Longer by hand, with other seeds:
//   RNX_PROPERTY_SEED=7 RNX_PROPERTY_DRAWS=5000 test_tools -tc="random command lines*"
#include "support.hpp"

#include <random>
#include <vector>

using namespace tools_test;

namespace {

using Words = std::vector<std::string>;

/// One option with values that it takes; those that no option takes are the same for all.
struct Option {
  const char* name;
  Words good;
};
const Words nonsense{"-1",
                     "0",
                     "1e999",
                     "nan",
                     "inf",
                     "-inf",
                     "2147483648",
                     "9223372036854775808",
                     "18446744073709551616",
                     "",
                     "abc",
                     "1.5",
                     "8/0",
                     "8/inf",
                     "-8/255",
                     "a b",
                     "\xff",
                     "two\nlines",
                     "=",
                     "0x10",
                     "1,2",
                     "linf",
                     "auto",
                     "/dev/null",
                     "."};

const std::vector<Option> data_options{
    {"--dataset", {"synthetic", "cifar10", "npy", "idx", "image-folder", "cifar100"}},
    {"--data", {"data", "nowhere", "data/test_batch.bin"}},
    {"--image-size", {"32", "28", "64"}},
    {"--resize", {"0", "40", "256"}}};
const std::vector<Option> train_options{
    {"--objective", {"natural", "pgd", "fgsm-rs", "free", "trades", "pdg"}},
    {"--model", {"dnn", "dnm", "resnet20"}},
    {"--n-train", {"4", "9"}},
    {"--n-test", {"1", "3"}},
    {"--holdout", {"0", "2", "100"}},
    {"--epochs", {"1", "2"}},
    {"--batch", {"1", "4", "1000"}},
    {"--lr", {"0.1", "0", "1e30"}},
    {"--schedule", {"onecycle", "triangular", "cosine", "multistep", "constant"}},
    {"--warm", {"0.1", "0.9"}},
    {"--milestones", {"0.5", "0.1,0.2", "0,1"}},
    {"--gamma", {"0.5", "10"}},
    {"--momentum", {"0", "0.5"}},
    {"--weight-decay", {"0", "0.1", "1e20"}},
    {"--label-smoothing", {"0", "0.9"}},
    {"--norm", {"linf", "l2"}},
    {"--eps", {"0", "8/255", "0.5"}},
    {"--attack-step", {"2/255", "0"}},
    {"--attack-steps", {"0", "1"}},
    {"--attack-mode", {"eval", "train"}},
    {"--beta", {"0", "6"}},
    {"--replays", {"1", "2"}},
    {"--seed", {"0", "18446744073709551615"}},
    {"--resume", {"auto", "never", "whole", "whole/ckpt/000001"}},
    {"--init", {"whole/model.safetensors", "data/test_batch.bin", "nowhere"}},
    {"--save-every", {"0", "1e9"}},
    {"--save-every-steps", {"0", "1"}},
    {"--keep", {"1", "5"}},
    {"--eval-n", {"0", "2"}},
    {"--eval-pgd-n", {"0", "1"}},
    {"--eval-every", {"1", "9"}},
    {"--final-n", {"0", "2"}},
    {"--final-pgd-n", {"0", "1"}},
    {"--threads", {"0", "1", "3"}},
    {"--loader-threads", {"1", "3"}},
    {"--progress", {"auto", "bar", "plain", "json", "off"}},
    {"--device", {"cpu", "cuda"}},
    {"--set", {"epochs=1", "epochs", "set=1"}},
    {"--preset", {"smok"}},
    {"--config", {"good.toml", "bad.toml", "whole/run.json", "nowhere"}},
    {"--print-config=", {"toml", "json", "yaml"}},
    {"--requeue-exit", {"1", "99", "0"}}};
const std::vector<Option> eval_options{
    {"--model", {"dnn", "resnet20"}},
    {"--weights",
     {"whole/model.safetensors", "data/test_batch.bin", "nowhere",
      "whole/model.safetensors whole/model.safetensors"}},
    {"--label", {"a", "a b", "a a"}},
    {"--n-ex", {"1", "3"}},
    {"--norm", {"linf", "l2"}},
    {"--eps", {"0", "8/255", "0.5"}},
    {"--attack",
     {"clean", "fgsm", "pgd:steps=1", "pgd:steps=1,restarts=2,start=none", "pgd:steps=0",
      "pgd:step=", "clean fgsm"}},
    {"--batch", {"1", "250"}},
    {"--seed", {"0", "18446744073709551615"}},
    {"--threads", {"0", "2"}},
    {"--save-logits", {"logits/a.npy", "whole", "data/test_batch.bin/x"}},
    {"--device", {"cpu", "tpu"}},
    {"--progress", {"plain", "bar", "json", "off", "loud"}},
    {"--config", {"good.toml", "bad.toml", "whole/run.json"}}};
const Words convert_calls{"summary whole/model.safetensors",
                          "summary data/test_batch.bin",
                          "summary",
                          "verify whole/model.safetensors --model dnn",
                          "verify whole/model.safetensors",
                          "verify whole/model.safetensors --model dnn --classes 3",
                          "to-npy whole/model.safetensors arrays",
                          "to-npy whole/model.safetensors whole/model.safetensors",
                          "from-npy arrays back/again.safetensors",
                          "from-npy data x.safetensors",
                          "from-npy arrays arrays",
                          "smmary x",
                          "",
                          "verify whole/model.safetensors --image-size -1"};
const Words train_verbs{"sweep rows.toml --out out",
                        "sweep rows.toml --out out --shard 2/2 --threads=1",
                        "sweep rows.toml --out out --shard 3/2",
                        "sweep bad.toml --out out",
                        "sweep good.toml --out out",
                        "sweep rows.toml --out whole",
                        "sweep",
                        "merge whole --out out",
                        "merge",
                        "table whole",
                        "table whole --format csv --out table.csv",
                        "table whole whole",
                        "table nowhere",
                        "table . --format html",
                        "table --help"};
const Words surroundings{"",
                         "",
                         "",
                         "export LC_ALL=de_DE.UTF-8; ",
                         "exec <&-; ",
                         "exec >&-; ",
                         "exec > /dev/full; ",
                         "ulimit -f 64; "};

class Draws {
 public:
  explicit Draws(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return random_() % n; }
  const std::string& of(const Words& words) { return words[below(words.size())]; }
  /// Some of these options; one value in four is nonsense.
  std::string options(const std::vector<Option>& table, std::size_t most) {
    std::string text;
    for (std::size_t k = below(most + 1); k > 0; --k) {
      const Option& o = table[below(table.size())];
      text += std::string(" ") + o.name + (std::string(o.name).ends_with("=") ? "" : " ");
      text += below(4) == 0 ? "'" + of(nonsense) + "'" : of(o.good);
    }
    return text;
  }

 private:
  std::mt19937 random_;
};

/// Without the notes that a data set may come with.
long sentences_of(const fs::path& file) {
  std::ifstream in(file);
  long n = 0;
  for (std::string line; std::getline(in, line);) n += line.find("shuffled once") == line.npos;
  return n;
}
long setting(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text ? std::atol(text) : otherwise;
}

}  // namespace

TEST_CASE("random command lines: 0, 2, 3 or 75, one sentence, a whole report or none") {
  const Folder f;
  write_records(f / "data/data_batch_1.bin", 20);
  write_records(f / "data/test_batch.bin", 10);
  const std::string tiny =
      " --dataset synthetic --model dnn --n-train 8 --n-test 4 --batch 4 --epochs 1 --eval-n 0 "
      "--eval-pgd-n 0 --final-pgd-n 0";
  REQUIRE(call(f, "cd " + f.path.string() + "; " + train + tiny + " --out whole").code == 0);
  std::ofstream(f / "good.toml") << "preset = \"small\"\nbatch = 4\nseed = 3\n";
  std::ofstream(f / "bad.toml") << "batch = 4\nsede = 3\n";
  std::ofstream(f / "rows.toml")
      << "dataset = \"synthetic\"\nmodel = \"dnn\"\nn-train = 8\nn-test = 4\nepochs = 1\n"
         "eval-n = 0\neval-pgd-n = 0\nfinal-pgd-n = 0\n[[rows]]\nname = \"a\"\n[[rows]]\nname = "
         "\"b\"\nobjective = \"fgsm-rs\"\n";
  Draws draw(unsigned(setting("RNX_PROPERTY_SEED", 10)));
  const long count = setting("RNX_PROPERTY_DRAWS", 100);
  long done = 0, refused = 0;
  for (long k = 0; k < count; ++k) {
    const std::size_t program = draw.below(6);
    std::string command;
    if (program < 2)
      command = train + tiny + draw.options(data_options, 1) + draw.options(train_options, 3) +
                " --out out";
    else if (program < 4)
      command = eval +
                " --dataset synthetic --model dnn --n-ex 3 --attack clean --weights "
                "whole/model.safetensors" +
                draw.options(data_options, 1) + draw.options(eval_options, 2) + " --out out";
    else
      command = program == 4 ? convert + " " + draw.of(convert_calls)
                             : train + " " + draw.of(train_verbs);
    fs::remove_all(f.path / "out");
    // a minute is a hang: a signal, and then there is no mercy
    const std::string limited =
        draw.of(surroundings) + "exec timeout -k 20 60 " + command + " 2> errors";
    const Result r = call(f, "cd " + f.path.string() + "; " + limited);
    const std::string errors = read(f.path / "errors");
    INFO(limited << "\n" << errors);
    CHECK((r.code == 0 || r.code == 2 || r.code == 3 || r.code == 75));
    if (r.code == 2 || r.code == 3) {
      const long sentences = sentences_of(f.path / "errors");
      if (command.find(" sweep ") != command.npos)
        CHECK(sentences >= 1);  // one of each row
      else
        CHECK(sentences == 1 + (errors.find("could not be written; --resume") != errors.npos));
    }
    const fs::path report =
        f.path / (program < 2 ? "out/eval/final/report.json" : "out/report.json");
    if (program < 4 && command.find("--out '") == command.npos &&
        command.find("--print-config=") == command.npos)
      CHECK(fs::exists(report) == (r.code == 0));
    if (fs::exists(report)) CHECK(nlohmann::json::accept(read(report)));
    done += r.code == 0;
    refused += r.code == 2 || r.code == 3;
  }
  CHECK(done > count / 10);
  CHECK(refused > count / 10);
}
