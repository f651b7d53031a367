// Job DSL: Pipeline jobs that use the library. Plugins: Job DSL, Pipeline, Git.
pipelineJob('deploy-payments-api') {
    description('Deploys payments-api; its Jenkinsfile has the window.')
    definition {
        cpsScm {
            scm {
                git {
                    remote {
                        url('https://git.example.com/payments/payments-api.git')
                    }
                    branch('main')
                }
            }
            scriptPath('Jenkinsfile')
            lightweight(true)
        }
    }
}

// The script of the core-alone marker (see ../freestyle): in the sandbox, read from beside this file.
pipelineJob('deploy-payments-api-marker') {
    description('Tells Last9 of each build of the Freestyle job that triggers it.')
    definition {
        cps {
            script(readFileFromWorkspace('examples/freestyle/marker-after-build.Jenkinsfile'))
            sandbox(true)
        }
    }
}
