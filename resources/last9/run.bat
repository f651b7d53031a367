@echo off
rem The same as run.sh for `bat` (tests/contract/README.md): finds a Python that serves and runs the engine on one request.
rem A UUID and the bundle's hash are put into the two marked places and nothing else, so no data ever becomes batch text.
setlocal EnableExtensions DisableDelayedExpansion
if not defined WORKSPACE_TMP set "WORKSPACE_TMP=%WORKSPACE%@tmp"
set "LAST9_CACHE_DIR=%WORKSPACE_TMP%\last9"
set "LAST9_LAUNCHER=1"
set "last9_request=%LAST9_CACHE_DIR%\request-@REQUEST@.json"
set "last9_incoming=%LAST9_CACHE_DIR%\incoming-@REQUEST@.pyz"
set "last9_bundle=%LAST9_CACHE_DIR%\last9-markers-@BUNDLE@.pyz"
if exist "%last9_incoming%" move /y "%last9_incoming%" "%last9_bundle%" >nul 2>&1
if exist "%last9_incoming%" del /q "%last9_incoming%" >nul 2>&1

rem 97 is the bundle's own guard; an interpreter without -I (2.7) ends with 2, a missing one with 9009, the Microsoft Store's stub likewise
if defined LAST9_PYTHON (
    call :attempt "%LAST9_PYTHON%"
    if not errorlevel 1 goto done
)
call :attempt python3
if not errorlevel 1 goto done
call :attempt python
if not errorlevel 1 goto done
call :attempt py -3
if not errorlevel 1 goto done

set "last9_warning=no usable Python on this agent (tried LAST9_PYTHON, python3, python, py -3). Install Python 3.9 or newer, or set LAST9_PYTHON to its path"
echo [Last9] WARNING: %last9_warning% 1>&2
echo {"last9Answer":1,"delivered":false,"accepted":true,"deploymentId":null,"warnings":["%last9_warning%"],"failBuild":null,"noEngine":true}

:done
if exist "%last9_request%" del /q "%last9_request%" >nul 2>&1
exit /b 0

:attempt
rem a usable interpreter is told beforehand: cmd cannot hide the usage text of one and show the log of another
%* -I -S -c "import sys, ssl, zlib; sys.exit(sys.version_info < (3, 9))" >nul 2>&1
if errorlevel 1 exit /b 1
%* -I -S "%last9_bundle%" step --request "%last9_request%"
exit /b 0
