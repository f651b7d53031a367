import org.last9.ClosingRun
import org.last9.Sender

/** The library's own, for windows that need another credential: a var, so that only a build with such a window compiles what it needs. */
void call(Sender sender, String asked, Map earlier, Map answer) {
    new ClosingRun(this).close(sender, asked, earlier.leftOpen, answer)
}
