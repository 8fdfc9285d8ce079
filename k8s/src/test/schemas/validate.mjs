// Reads a JSON array of Kubernetes objects and prints, a line each, what is wrong with them.
//
// Two views of the same OpenAPI documents: the packages' validators check required fields, types, patterns and
// bounds but let unknown fields pass, as the API server does when it prunes them; the packages' TypeScript types
// catch those, since an object literal may have no fields that its type has not.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const PACKAGES = {
  'keda.sh': '@kubernetes-models/keda',
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};
const KSERVE = 'serving.kserve.io';

const groupOf = (object) => (object.apiVersion.includes('/') ? object.apiVersion.split('/')[0] : '');
const nameOf = (object) => `${object.kind} ${object.metadata?.name}`;
// No package has the types of KServe: kserve.d.ts.
const typesOf = (object) =>
  groupOf(object) === KSERVE
    ? './kserve'
    : `${PACKAGES[groupOf(object)] ?? 'kubernetes-models'}/${object.apiVersion}/${object.kind}`;

async function violations(object) {
  if (groupOf(object) === KSERVE) {
    return [];
  }
  let model;
  try {
    model = await import(typesOf(object));
  } catch (unknown) {
    return [`there is no kind ${object.kind} in ${object.apiVersion}`];
  }
  try {
    new model[object.kind](object).validate();
    return [];
  } catch (invalid) {
    return [invalid.message.replaceAll('\n', '; ')];
  }
}

function unknownFields(objects) {
  const file = fileURLToPath(new URL('manifests.ts', import.meta.url));
  const owners = [];
  const source = objects
    .map((object, index) => {
      const literal = JSON.stringify(object, null, 1);
      const text = `const o${index}: import(${JSON.stringify(typesOf(object))}).I${object.kind} = ${literal};`;
      owners.push(...text.split('\n').map(() => object));
      return text;
    })
    .join('\n');
  const options = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => path === file || fileExists(path);
  host.getSourceFile = (path, ...rest) =>
    path === file ? ts.createSourceFile(path, source, options.target) : getSourceFile(path, ...rest);
  return ts.getPreEmitDiagnostics(ts.createProgram([file], options, host)).map((problem) => {
    const message = ts.flattenDiagnosticMessageText(problem.messageText, ' ');
    if (!problem.file) {
      return message;
    }
    const line = problem.file.getLineAndCharacterOfPosition(problem.start).line;
    return `${nameOf(owners[line])}: ${message} at ${source.split('\n')[line].trim()}`;
  });
}

const objects = JSON.parse(readFileSync(0, 'utf8'));
for (const object of objects) {
  for (const violation of await violations(object)) {
    console.log(`${nameOf(object)}: ${violation}`);
  }
}
for (const problem of unknownFields(objects)) {
  console.log(problem);
}
