// The questions of "Try it": for each model its fields, its request, and what an answer means.
import { make } from "./dom.js";

const output = (answer, name) => answer.outputs.find((tensor) => tensor.name === name).data;

const image = (file) => ({ headers: { "Inference-Header-Content-Length": "0" }, body: file });

// Fields for one of some pictures, or one's own file.
function pictures(samples, hint) {
  let picture = null;
  const preview = make("img", { class: "preview", alt: "" });
  const show = (blob, alt) => {
    picture = blob;
    URL.revokeObjectURL(preview.src);
    preview.src = URL.createObjectURL(blob);
    preview.alt = alt;
  };
  const choose = async (sample) => show(await (await fetch(`console/${sample.file}`)).blob(), sample.text);
  const choices = samples.map((sample, i) =>
    make(
      "label",
      { class: "sample" },
      make("input", { type: "radio", name: "sample", value: sample.file, checked: i === 0, onchange: () => choose(sample) }),
      make("img", { src: `console/${sample.file}`, alt: "" }),
      sample.text,
    ),
  );
  const upload = make("input", {
    type: "file",
    id: "upload",
    accept: "image/png,image/jpeg",
    onchange: (event) => event.target.files[0] && show(event.target.files[0], "your picture"),
  });
  choose(samples[0]);
  return {
    elements: [
      make("fieldset", { class: "samples" }, make("legend", {}, "Sample"), ...choices),
      make("label", { for: "upload" }, "Or your own, PNG or JPEG"),
      upload,
      make("p", { class: "note" }, hint),
      preview,
    ],
    request: () => {
      if (!picture) throw new Error("Choose a sample or a file first.");
      return image(picture);
    },
  };
}

function texts() {
  const input = (id, label, value) => [make("label", { for: id }, label), make("input", { id, type: "text", value, maxlength: "300", required: true })];
  const fields = [
    input("query", "Sentence", "How do I get a refund for my order?"),
    input("candidate-1", "Compared with", "I want my money back for this purchase."),
    input("candidate-2", "and", "Where can I see which orders I placed?"),
    input("candidate-3", "and", "The weather in Lisbon is mild in autumn."),
  ];
  const values = () => fields.map(([, field]) => field.value.trim());
  return {
    elements: fields.flat(),
    values,
    request: () => {
      const data = values();
      if (data.some((text) => !text)) throw new Error("Every sentence needs a word or more.");
      return {
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs: [{ name: "text", datatype: "BYTES", shape: [4], data }] }),
      };
    },
  };
}

function cosine(a, b) {
  let dot = 0, left = 0, right = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    left += a[i] * a[i];
    right += b[i] * b[i];
  }
  return dot / Math.sqrt(left * right);
}

// The scored choices, best first.
const ranked = (choices, scores) => choices.map((text, i) => ({ text, score: scores[i] })).sort((a, b) => b.score - a.score);

export const DEMOS = [
  {
    model: "fashion",
    title: "Garment",
    confidence: "Probability",
    fields: () =>
      pictures(
        [
          { file: "ankle-boot.png", text: "Ankle boot" },
          { file: "bag.png", text: "Bag" },
          { file: "pullover.png", text: "Pullover" },
        ],
        "Best: one garment, light on a dark ground.",
      ),
    read: (answer, _, labels) => {
      const best = ranked(labels, output(answer, "probabilities"));
      return { text: best[0].text, confidence: best[0].score, choices: best.slice(0, 3) };
    },
  },
  {
    model: "minilm",
    title: "Similar text",
    confidence: "Similarity",
    fields: texts,
    read: (answer, fields) => {
      const values = output(answer, "embedding");
      const size = values.length / 4;
      const vector = (i) => values.slice(i * size, (i + 1) * size);
      const best = ranked(fields.asked.slice(1), [1, 2, 3].map((i) => cosine(vector(0), vector(i))));
      return { text: best[0].text, confidence: best[0].score, choices: best };
    },
  },
  {
    model: "ocr-text",
    title: "Line of text",
    confidence: "Confidence",
    fields: () => pictures([{ file: "text-line.png", text: "Invoice line" }], "Best: a single line of print, cut close."),
    read: (answer) => {
      const text = output(answer, "text")[0];
      return { text: text || "nothing read", confidence: output(answer, "confidence")[0], choices: [] };
    },
  },
];
