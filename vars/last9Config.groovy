import org.last9.BuildDefaults

/** Defaults for every later marker of this build: see last9Config.txt. */
void call(Object... args) {
    new BuildDefaults(this).add(args)
}
