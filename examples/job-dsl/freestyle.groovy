// Job DSL: the Freestyle jobs of ../freestyle. Plugins: Job DSL, Credentials Binding, Plain Credentials; PostBuildScript for the last two.
def markers = '/opt/last9/last9-markers'
def service = '--service-name payments-api --environment production'
def state = '--state "$WORKSPACE_TMP/last9-window.json"'

freeStyleJob('payments-api-window-around-one-step') {
    wrappers {
        credentialsBinding {
            string('LAST9_REFRESH_TOKEN', 'last9-refresh-token')
        }
    }
    steps {
        shell("""\
            markers=${markers}
            if [ -x "\$markers" ]; then
                "\$markers" window ${service} -- ./deploy.sh
            else
                ./deploy.sh
            fi""".stripIndent())
    }
}

freeStyleJob('payments-api-window-over-all-steps') {
    wrappers {
        credentialsBinding {
            string('LAST9_REFRESH_TOKEN', 'last9-refresh-token')
        }
    }
    steps {
        shell("${markers} send --event-state start ${state} ${service} || true")
        maven('--batch-mode deploy')
    }
    publishers {
        postBuildScript {
            buildSteps {
                postBuildStep {
                    results(['SUCCESS', 'UNSTABLE', 'FAILURE', 'NOT_BUILT', 'ABORTED'])
                    stopOnFailure(false)
                    buildSteps {
                        shell {
                            command("${markers} send --event-state stop ${state} ${service} --on-failure --on-unstable --on-aborted || true")
                        }
                    }
                }
            }
            markBuildUnstable(false)
        }
    }
}

freeStyleJob('payments-api-marker-after-build') {
    wrappers {
        credentialsBinding {
            string('LAST9_REFRESH_TOKEN', 'last9-refresh-token')
        }
    }
    steps {
        shell('./deploy.sh')
    }
    publishers {
        postBuildScript {
            buildSteps {
                postBuildStep {
                    results(['SUCCESS', 'UNSTABLE', 'FAILURE', 'NOT_BUILT', 'ABORTED'])
                    stopOnFailure(false)
                    buildSteps {
                        shell {
                            command("${markers} send ${service} --on-failure || true")
                        }
                    }
                }
            }
            markBuildUnstable(false)
        }
    }
}

// Core alone: the Pipeline job of pipeline.groovy sends the marker.
freeStyleJob('payments-api-deploy') {
    steps {
        shell('./deploy.sh')
    }
    publishers {
        downstream('deploy-payments-api-marker', 'FAILURE')
    }
}
