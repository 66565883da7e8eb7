// Writes the code of the README, the guides and the docstrings to `.examples`, where `npm run check` finds it.
import { write } from "../test/docs/codeBlocks.ts"

write()
