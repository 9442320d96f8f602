/** The words and forms of the page behind one JSON file of questions, for tests that hold them to Python. */

import { readFileSync } from "node:fs";

import { newId, utc } from "../../../edge_app/web/project/src/history/entry";
import { answerWords } from "../../../edge_app/web/project/src/ui/answer_words";
import { Catalogue } from "../../../edge_app/web/project/src/ui/catalogue";
import { dxaWords, readDxaForm } from "../../../edge_app/web/project/src/ui/dxa_words";
import { ostOf } from "../../../edge_app/web/project/src/ui/ost";
import { inWords } from "../../../edge_app/web/project/src/ui/probability_words";
import { looksLikeAName, readForm } from "../../../edge_app/web/project/src/ui/screening_form";
import { plainNumber, shortened } from "../../../edge_app/web/project/src/ui/typed";

const { tables, messages, asked } = JSON.parse(readFileSync(0, "utf8"));
const catalogue = new Catalogue(messages);

const ANSWERS: Record<string, (...values: any[]) => unknown> = {
  translate: (text) => catalogue.translate(text),
  form: (fields) => readForm(fields, tables),
  name: looksLikeAName,
  number: plainNumber,
  shortened,
  dxa: (result, score) => readDxaForm(result, score, tables),
  dxaWords: (dxa, score) => dxaWords(dxa, score, tables),
  ost: (patient) => ostOf(patient, tables),
  probability: inWords,
  answer: (entry) => answerWords(entry, tables),
  id: newId,
  utc: (ms) => utc(new Date(ms)),
};

const answers = asked.map(([question, ...values]: [string, ...unknown[]]) => ANSWERS[question]!(...values));
process.stdout.write(JSON.stringify(answers));
