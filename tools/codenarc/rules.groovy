// CodeNarc's rules for a Jenkins Shared Library. Each exception has its reason.
ruleset {
    ruleset('rulesets/jenkins.xml')
    ruleset('rulesets/basic.xml')
    ruleset('rulesets/braces.xml')
    ruleset('rulesets/design.xml') {
        exclude 'NestedForLoop'                 // CPS knows no stream of its own
        exclude 'ReturnsNullInsteadOfEmptyCollection' // no answer and no window are not empty ones
        exclude 'Instanceof'                    // option values are any values of a Jenkinsfile
        exclude 'BuilderMethodWithSideEffects'
    }
    ruleset('rulesets/exceptions.xml') {
        exclude 'CatchThrowable'                // assert and unknown steps are Errors: code that judges an outcome catches them
        exclude 'ReturnNullFromCatchBlock'      // a broken text is not a JSON object: the callers know the remedy
        exclude 'CatchException'                // a fact is never worth a failed deployment
    }
    ruleset('rulesets/formatting.xml') {
        LineLength { length = 150 }
        exclude 'SpaceAroundMapEntryColon'      // [a: 1] is how Jenkinsfiles are written
        exclude 'ClassEndsWithBlankLine'
        exclude 'ClassStartsWithBlankLine'
        exclude 'Indentation'                   // continued literals
    }
    ruleset('rulesets/imports.xml') {
        exclude 'NoWildcardImports'
        exclude 'MisorderedStaticImports'
    }
    ruleset('rulesets/naming.xml') {
        exclude 'FactoryMethodName'
    }
    ruleset('rulesets/unnecessary.xml') {
        exclude 'UnnecessaryGetter'             // currentBuild.getBuildCauses() is the documented, approved signature
        exclude 'UnnecessaryReturnKeyword'
        exclude 'UnnecessaryObjectReferences'
        exclude 'UnnecessaryToString'           // GStrings must be texts before they reach a step
        exclude 'UnnecessaryElseStatement'
        exclude 'UnnecessaryCast'
    }
    ruleset('rulesets/unused.xml')
}
