// Writes the code of the README, the guides and the docstrings to `.examples`, where `tsconfig.check.json` finds it.
import { write } from "../test/docs/codeBlocks.ts"

write()
