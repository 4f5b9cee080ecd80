// rnx-eval as its users call it: reports, logits, and bad input, which gets one sentence.
#include "support.hpp"

using namespace tools_test;

TEST_CASE("rnx-eval: report.json, per_sample.csv, logits; several weights and attacks") {
  const TrainedResnet f;
  const Result r = call(
      f, eval + f.data + " --weights " + f.weights +
             " --n-ex 10 --attack pgd:steps=2,step=2/255,restarts=2,start=random --save-logits " +
             (f / "logits.npy") + " --out " + (f / "eval"));
  REQUIRE_MESSAGE(r.code == 0, r.text);
  const auto report = nlohmann::json::parse(read(f / "eval/report.json"));
  CHECK(report.at("n") == 10);
  CHECK(nlohmann::json::parse(read(f / "eval/run.json"))
            .at("attacks")[0]
            .get<std::string>()
            .starts_with("pgd:steps=2"));
  refused(call(f, eval + f.data + " --weights " + f.weights + " --n-ex 2 --attack clean --out " +
                      (f / "run")),
          2, "holds a run of another program");
  CHECK(report.at("robust_acc") <= report.at("clean_acc"));
  std::ifstream csv(f / "eval/per_sample.csv");
  std::string line;
  std::getline(csv, line);
  CHECK(line == "index,label,clean_pred,attacked_pred,robust,fooled_by");
  int rows = 0;
  while (std::getline(csv, line)) ++rows;
  CHECK(rows == 10);
  const std::string logits = read(f / "logits.npy");
  CHECK(logits.find("'shape': (10, 10)") != std::string::npos);
  CHECK(logits.size() >= 400);
  const Result both =
      call(f, eval + f.data + " --weights " + f.weights + " " + f.weights +
                  " --label one two --n-ex 5 --attack fgsm pgd:steps=1,start=none --out " +
                  (f / "both"));
  REQUIRE_MESSAGE(both.code == 0, both.text);
  const auto two = nlohmann::json::parse(read(f / "both/report.json"));
  CHECK(two.at("models").size() == 2);
  CHECK(two.at("models")[0].at("attacks").size() == 2);
}

TEST_CASE("rnx-eval: every attack in every norm that it has") {
  const TrainedResnet f;
  const std::string all =
      " apgd-ce:steps=3 apgd-dlr:steps=2 apgd-t:steps=2,targets=2 fab:steps=2 "
      "fab-t:steps=2,targets=2 square:queries=10";
  for (const auto& [ball, steps] :
       {std::pair{"linf --eps 4/255",
                  " fgsm pgd:steps=2 cw:steps=2 mi-fgsm:steps=2 deepfool:steps=2"},
        {"l2 --eps 0.5",
         " fgsm pgd:steps=2 cw:steps=2 mi-fgsm:steps=2 deepfool:steps=2 cw-l2:steps=3,constants=2"},
        {"l1 --eps 12", ""}}) {
    const std::string name = std::string(ball).substr(0, std::string(ball).find(' ')),
                      out = f / name;
    const Result r =
        call(f, eval + f.data + " --weights " + f.weights + " --n-ex 4 --norm " + ball +
                    " --attack" + all + steps +
                    (*steps ? " transfer:steps=2,weights=" + f.weights : "") + " --out " + out);
    REQUIRE_MESSAGE(r.code == 0, r.text);
    const auto rows = nlohmann::json::parse(read(out + "/report.json")).at("models")[0];
    REQUIRE(rows.at("attacks").size() == (name == "linf" ? 12 : name == "l2" ? 13 : 6));
    CHECK(rows.at("attacks")[5].at("name") == "square:queries=10,restarts=1");
    CHECK(rows.at("attacks")[5].at("backwards_per_sample") == 0);
  }
  const std::string with = f.evaluation();
  refused(call(f, with + " --norm l1 --attack pgd"), 2, "pgd has no steps in l1");
  refused(call(f, with + " --attack cw-l2"), 2, "cw-l2 has no steps in linf");
  refused(call(f, with + " --norm l2 --attack cw-l2:rate=0"), 2, "the rate of cw-l2 must be above");
  refused(call(f, with + " --attack deepfool:candidates=1"), 2, "at least 2 candidates");
  refused(call(f, with + " --attack transfer"), 2, "transfer needs the weights of a surrogate");
  refused(call(f, with + " --attack transfer:weights=none.safetensors"), 3, "cannot open");
  refused(call(f, with + " --attack square:steps=3"), 2, "square takes queries, restarts");
  refused(call(f, with + " --norm l1 --attack apgd-ce:rule=art"), 2, "in l1 there is one rule");
  refused(call(f, with + " --attack mi-fgsm:decay=-1"), 2, "decay must not be negative");
  refused(call(f, with + " --attack apgd-ce:rule=book"), 2, "known are code, paper, art");
  refused(call(f, with + " --attack aa-standard:steps=3"), 2, "takes no parameters");
  refused(call(f, with + " --loss hinge"), 2, "known are ce, margin, dlr, kl");
  refused(call(f, with + " --loss dlr --attack square"), 2, "none of the attacks takes one");
  refused(call(f, with + " --loss kl --attack fgsm"), 2, "where its gradient is zero");
}

TEST_CASE("rnx-eval: a wrong option gets one sentence") {
  const TrainedResnet f;
  const std::string with = f.evaluation();
  refused(call(f, with + " --n-ex 21"), 2, "--n-ex: expected at most 20, the images of the data");
  refused(call(f, with + " --eps -1/255"), 2, "eps must not be negative");
  refused(call(f, with + " --eps 2"), 2, "eps in Linf must be at most 1");
  refused(call(f, with + " --eps 8/zero"), 2, "is not a number or a fraction");
  refused(call(f, with + " --attack pgd:stepz=3"), 2, "'stepz=3' is not understood");
  refused(call(f, with + " --attack fly"), 2, "known are clean, fgsm, pgd");
  refused(call(f, with + " --norm l7"), 2, "known are linf, l2, l1");
  refused(call(f, with + " --model resnet21"), 2, "did you mean resnet20?");
  refused(call(f, with + " --bacth 3"), 2, "the option --bacth is unknown; did you mean --batch?");
  refused(call(f, with + " --set bacth=3"), 2, "did you mean --batch?");
  refused(call(f, with + " --batch many"), 2, "many");
  refused(call(f, with + " --device cuda"), 2, "built for cpu");
  refused(call(f, eval + " stray" + with.substr(eval.size())), 2, "unexpected argument 'stray'");
  refused(call(f, eval + " --wieghts x"), 2, "did you mean --weights?");
  refused(call(f, eval + f.data), 2, "--weights");
  refused(call(f, with + " --save-logits " + (f / "data/test_batch.bin/x.npy")), 3,
          "--save-logits");
  const Result l2 = call(f, with + " --norm l2 --eps 0.5");
  CHECK_MESSAGE(l2.text.find("pgd:steps=20,step=0.1,restarts=1,start=random") != std::string::npos,
                l2.text);
}

TEST_CASE("rnx-eval and rnx-train: a missing or damaged file gets one sentence") {
  const TrainedResnet f;
  const std::string with = f.evaluation();
  refused(call(f, eval + f.data + " --weights " + (f / "absent.safetensors")), 3,
          "absent.safetensors");
  refused(call(f, eval + " --data " + (f / "nowhere") + " --weights " + f.weights), 3, "nowhere");
  refused(call(f, train + " --data " + (f / "nowhere")), 3, "nowhere");
  write_records(f / "data/test_batch.bin", 20, 10);
  refused(call(f, eval + f.data + " --n-ex 0 --out " + (f / "eval2") + " --weights " + f.weights),
          3, "label");
  write_records(f / "data/test_batch.bin", 20, -1, 7);
  refused(call(f, with), 3, "3073");
  fs::remove(f / "data/test_batch.bin");
  refused(call(f, with), 3, "test_batch.bin");
  std::ofstream(f / "data/test_batch.bin");
  refused(call(f, with), 3, "test_batch.bin");
  fs::resize_file(f.weights, fs::file_size(f.weights) / 2);
  write_records(f / "data/test_batch.bin", 20);
  refused(call(f, with), 3, "model.safetensors");
  CHECK(!fs::exists(f / "eval2/report.json"));
}
