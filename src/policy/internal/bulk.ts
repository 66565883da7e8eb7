import * as Context from "effect/Context"

/** Whether a call is one of many that make up hours of work: where no retry policy is given, it goes by the patient one. */
export class Bulk extends Context.Reference<Bulk>()("effect-glacier/internal/Bulk", {
  defaultValue: () => false
}) {}
